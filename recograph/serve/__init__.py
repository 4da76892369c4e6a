"""The graph for people: every question a page, a JSON and a CSV. It only reads.

`loads` sees what loads record, `cache` keeps what was answered until one of them changes it, `asking` asks the graph,
`access` knows who may see which customer, `pages` says what is on a page, `forms` gives it as HTML, JSON or CSV, and
`site` answers requests with all of it.
"""
