-- Moodle's ratings are of what people wrote in an activity, not of the activity
select
    cast(null as bigint) as user_id,
    cast(null as bigint) as asset_id,
    cast(null as double) as rating
where 1 = 0
