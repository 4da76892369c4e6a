select
    {{ literal(var('customer')) }} as id,
    {{ literal(var('customer_name')) }} as name,
    {{ literal(var('region')) }} as region,
    {{ literal(var('size')) }} as size,
    {{ literal(var('category')) }} as category,
    {{ partition_columns() }}
