-- all of Docebo's contracted tables are read whole
select cast(null as varchar) as name
where 1 = 0
