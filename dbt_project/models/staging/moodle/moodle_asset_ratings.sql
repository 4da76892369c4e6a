-- the rows of "rating" are about what people wrote in an activity (a post, an entry), not about the activity
select
    cast(null as bigint) as user_id,
    cast(null as bigint) as asset_id,
    cast(null as double) as rating
where 1 = 0
