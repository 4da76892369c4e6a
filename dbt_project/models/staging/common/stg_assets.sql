select * from {{ of_platform('assets') }}
