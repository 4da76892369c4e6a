"""The graph for people: every question a page, a JSON and a CSV. It only reads.

`loads` sees what loads record, `cache` keeps what was answered until one of them changes it, `asking` asks the graph,
with `gathering` for several at once what is in `look_ups`, `parameters` refuses what can't be asked, `access` knows who
may see which customer, `pages` and `nodes` say what is on a page, `forms` gives it as HTML (with `tables` and
`values`), JSON or CSV, `problems` says why there is none, `kept` keeps it as it is sent, and `site` answers requests
with all of it.
"""
