with users as (
    select *
    from {{ source('moodle', 'user') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

roles as (
    select *
    from {{ source('moodle', 'role') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

assignments as (
    select *
    from {{ source('moodle', 'role_assignments') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

places as (
    select *
    from {{ source('moodle', 'context') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

-- a manager of the site or a category, or whoever has a role with regard to another user, as supervisors have
managers as (
    select distinct assignments.userid
    from assignments
    inner join roles on assignments.roleid = roles.id
    inner join places on assignments.contextid = places.id
    where places.contextlevel = 30 or (places.contextlevel in (10, 40) and roles.archetype = 'manager')
)

select
    users.*,

    -- booleans
    managers.userid is not null as can_manage_subordinates,
    users.deleted = 0 and users.suspended = 0 and users.confirmed = 1 as valid,

    -- timestamps
    {{ epoch_ms_to_timestamp('nullif(users.timecreated, 0) * 1000') }} as register_date
from users
left join managers on users.id = managers.userid
-- the guest, whom all share that haven't logged in
where users.id <> (select guest.id from {{ ref('moodle_guest') }} as guest)
