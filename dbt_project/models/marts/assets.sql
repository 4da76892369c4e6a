with known as (
    {{ known_languages(ref('stg_assets'), ref('asset_views'), 'asset_id') }}
)

select
    asset.id,
    asset.title,
    {{ only_of('docebo', 'asset.content_type', 'bigint') }},
    asset.content_type_name,
    asset.creation_date,
    known.language,
    {{ partition_columns() }}
from {{ ref('stg_assets') }} as asset
left join known on asset.id = known.id
