# One image for the code location, its runs, the web server and the daemon: deploy/compose.yaml and
# deploy/task-definition.json say which command each of them runs. Neo4j is elsewhere, so no Java is in it.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE CHANGELOG.md workspace.yaml constraints.txt ./
COPY recograph recograph
COPY dbt_project dbt_project
RUN python -m venv /opt/build && /opt/build/bin/pip install --quiet uv \
    && /opt/build/bin/uv build --quiet --wheel --out-dir /opt/wheels /src \
    && /opt/build/bin/uv venv --quiet --python python3 /opt/recograph \
    && /opt/build/bin/uv pip install --quiet --compile-bytecode --python /opt/recograph/bin/python --constraint /src/constraints.txt "$(echo /opt/wheels/*.whl)[aws,production]"

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 recograph
COPY --from=build /opt/recograph /opt/recograph
COPY --chown=recograph deploy/dagster.yaml deploy/workspace.yaml /opt/dagster/
# customers.yaml is yours: mount it here, or build upon this image.
COPY --chown=recograph data/customers.yaml /opt/data/customers.yaml
RUN mkdir /opt/home && chown recograph /opt/home /opt/dagster
# By its number, which machines that don't know the name can tell from root.
USER 1000
WORKDIR /opt/dagster
ENV PATH=/opt/recograph/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DAGSTER_HOME=/opt/dagster \
    RECOGRAPH_DATA=/opt/data \
    RECOGRAPH_HOME=/opt/home
EXPOSE 3000 4000
CMD ["dagster", "api", "grpc", "-m", "recograph.definitions", "-h", "0.0.0.0", "-p", "4000"]
