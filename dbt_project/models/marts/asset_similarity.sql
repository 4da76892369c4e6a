{{ similarity(ref('asset_views'), ref('assets'), 'asset_id') }}
