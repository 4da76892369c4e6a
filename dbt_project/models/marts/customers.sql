select
    {{ literal(partition('customer')) }} as id,
    {{ literal(partition('customer_name')) }} as name,
    {{ literal(partition('region')) }} as region,
    {{ literal(partition('size')) }} as size,
    {{ literal(partition('category')) }} as category,
    {{ partition_columns() }}
