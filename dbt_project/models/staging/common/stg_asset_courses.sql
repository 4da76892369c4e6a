select * from {{ of_platform('asset_courses') }}
