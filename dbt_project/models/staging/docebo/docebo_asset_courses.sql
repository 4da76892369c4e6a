-- Docebo's assets are in no course
select
    cast(null as bigint) as asset_id,
    cast(null as bigint) as course_id
where 1 = 0
