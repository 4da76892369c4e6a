"""The graph model, declared once, as data.

Constraints, indexes, Cypher, the warehouse's SQL, checks, assets and the picture in the README are derived from it.
Adding a label is one declaration here and one mart.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

TENANT = "customer_id"
"""The property that says which customer a node belongs to; with `id` it is the node's key."""
KEY = "id"


class Type(StrEnum):
    """What a property holds. A datetime travels as milliseconds since 1970 (UTC) and becomes one on the server."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRING = "string"
    DATETIME = "datetime"


class Scope(StrEnum):
    """To whom the nodes of a set belong."""

    OWNED = "owned"
    """One customer's own; the key is customer_id and id, since ids are unique only within a customer."""
    SHARED = "shared"
    """Several customers point to the same node; the key is id. Such sets are small."""
    CUSTOMER = "customer"
    """The customer itself; the key is id."""


@dataclass(frozen=True)
class Property:
    """A property of a node or relationship, and the column of the mart that fills it. NULL means absent."""

    name: str
    column: str
    type: Type
    description: str
    fulltext: bool = False
    """Whether people search for words in it."""
    between: tuple[int, int] | None = None
    """The least and the greatest value that it may have."""


@dataclass(frozen=True)
class NodeSet:
    """The nodes of one label, one per row of the mart."""

    label: str
    mart: str
    description: str
    properties: tuple[Property, ...] = ()
    scope: Scope = Scope.OWNED
    key_type: Type = Type.INTEGER
    key_column: str = KEY
    computed: bool = False
    """See `RelationshipSet.computed`."""

    @property
    def path(self) -> tuple[str, ...]:
        """The name in parts, as asset keys have it."""
        return ("nodes", self.label)

    @property
    def name(self) -> str:
        """Names the set in reports, states and requests."""
        return "/".join(self.path)

    @property
    def allowed(self) -> frozenset[str]:
        """Every property that a node of this set may have."""
        key = {TENANT, KEY} if self.scope is Scope.OWNED else {KEY}
        return frozenset(key | {prop.name for prop in self.properties})

    @property
    def fulltext_index(self) -> str | None:
        """Name of the full-text index over this label, if any property is searched."""
        return f"{self.label.lower()}_fulltext" if any(prop.fulltext for prop in self.properties) else None


@dataclass(frozen=True)
class RelationshipSet:
    """The relationships of one type between two labels, one per row of the mart; no pair of nodes has two of them."""

    type: str
    start: NodeSet
    end: NodeSet
    mart: str
    description: str
    start_column: str
    end_column: str | None
    """None: every row ends at the customer's own node."""
    properties: tuple[Property, ...] = ()
    ends_named: bool = False
    """Whether the name needs the end's label, because the type has several sets."""
    computed: bool = False
    """Whether the rows are computed from other sets. A load may then remove any number of them: that is no sign of an
    incomplete dump."""

    @property
    def path(self) -> tuple[str, ...]:
        """The name in parts, as asset keys have it."""
        return ("relationships", self.type, self.end.label) if self.ends_named else ("relationships", self.type)

    @property
    def name(self) -> str:
        """Names the set in reports, states and requests."""
        return "/".join(self.path)

    @property
    def allowed(self) -> frozenset[str]:
        """Every property that a relationship of this set may have."""
        return frozenset(prop.name for prop in self.properties)


GraphSet = NodeSet | RelationshipSet

_RECENCY = Property(
    "recency",
    "recency",
    Type.INTEGER,
    "How recent on the snapshot date: 9 under a week, 8 under 2, doubling down to 2; 1 older or unknown",
    between=(1, 9),
)
_RATING = Property("rating", "rating", Type.FLOAT, "The user's latest rating")
_SCORE = Property("score", "score", Type.FLOAT, "How much having the one speaks for the other, greater is more")

CUSTOMER = NodeSet(
    "Customer",
    "customers",
    "A customer of the learning platform",
    (
        Property("name", "name", Type.STRING, "The company's name"),
        Property("region", "region", Type.STRING, "Cloud region of the customer's platform"),
        Property("size", "size", Type.STRING, "Size class of the company"),
        Property("category", "category", Type.STRING, "Line of business"),
    ),
    Scope.CUSTOMER,
    Type.STRING,
)
USER = NodeSet(
    "User",
    "users",
    "A learner on a customer's platform",
    (
        Property("can_manage_subordinates", "can_manage_subordinates", Type.BOOLEAN, "Whether the user manages others"),
        Property("valid", "valid", Type.BOOLEAN, "Whether the account is active"),
        Property("register_date", "register_date", Type.DATETIME, "When the user registered"),
    ),
)
LANGUAGE = NodeSet(
    "Language",
    "languages",
    "A language of the platform's surface",
    (Property("language_name", "language_name", Type.STRING, "The language's name in English"),),
    Scope.SHARED,
    Type.STRING,
)
COURSE = NodeSet(
    "Course",
    "courses",
    "A course that users enrol in",
    (
        Property("name", "name", Type.STRING, "The course's title", fulltext=True),
        Property("category", "category", Type.INTEGER, "Id of the course's category"),
        Property("course_type", "course_type", Type.STRING, "The platform's kind of course, such as webinar or topics"),
        Property("difficulty", "difficulty", Type.STRING, "How difficult the course is"),
        Property("status", "status", Type.INTEGER, "Code of the course's status"),
        Property("status_name", "status_name", Type.STRING, "What the status says, such as published"),
        Property("created_date", "created_date", Type.DATETIME, "When the course was created"),
        Property("language", "language", Type.STRING, "The course's language, where it is known"),
    ),
)
ASSET = NodeSet(
    "Asset",
    "assets",
    "A video, document or other piece of content",
    (
        Property("title", "title", Type.STRING, "The asset's title", fulltext=True),
        Property("content_type", "content_type", Type.INTEGER, "Code of the kind of content"),
        Property("content_type_name", "content_type_name", Type.STRING, "The kind of content, such as video or pdf"),
        Property("creation_date", "creation_date", Type.DATETIME, "When the asset was created"),
        Property("language", "language", Type.STRING, "The asset's language, where it is known"),
    ),
)

NODE_SETS: tuple[NodeSet, ...] = (CUSTOMER, USER, LANGUAGE, COURSE, ASSET)

RELATIONSHIP_SETS: tuple[RelationshipSet, ...] = (
    RelationshipSet("WORKS_AT", USER, CUSTOMER, "users", "The user's company", "id", None),
    RelationshipSet("SPEAKS", USER, LANGUAGE, "user_languages", "The user's language", "user_id", "language_id"),
    RelationshipSet(
        "IS_ENROLLED",
        USER,
        COURSE,
        "course_enrolments",
        "The user is or was enrolled in the course",
        "user_id",
        "course_id",
        (
            Property("status", "status", Type.INTEGER, "Code of the enrolment's status"),
            Property("status_name", "status_name", Type.STRING, "What the status says, such as completed"),
            _RECENCY,
        ),
    ),
    RelationshipSet(
        "HAS_WATCHED", USER, ASSET, "asset_views", "The user watched the asset", "user_id", "asset_id", (_RECENCY,)
    ),
    RelationshipSet(
        "HAS_RATED",
        USER,
        COURSE,
        "course_ratings",
        "The user rated the course",
        "user_id",
        "course_id",
        (_RATING,),
        ends_named=True,
    ),
    RelationshipSet(
        "HAS_RATED",
        USER,
        ASSET,
        "asset_ratings",
        "The user rated the asset",
        "user_id",
        "asset_id",
        (_RATING,),
        ends_named=True,
    ),
    RelationshipSet("PART_OF", ASSET, COURSE, "asset_courses", "The asset is in the course", "asset_id", "course_id"),
    RelationshipSet(
        "SIMILAR_TO",
        COURSE,
        COURSE,
        "course_similarity",
        "Who took the one takes the other",
        "course_id",
        "similar_course_id",
        (_SCORE,),
        ends_named=True,
        computed=True,
    ),
    RelationshipSet(
        "SIMILAR_TO",
        ASSET,
        ASSET,
        "asset_similarity",
        "Who watched the one watches the other",
        "asset_id",
        "similar_asset_id",
        (_SCORE,),
        ends_named=True,
        computed=True,
    ),
)

ALL_SETS: tuple[GraphSet, ...] = (*NODE_SETS, *RELATIONSHIP_SETS)
SETS: dict[str, GraphSet] = {graph_set.name: graph_set for graph_set in ALL_SETS}


def signature(graph_set: GraphSet) -> str:
    """A short digest of a set's declaration: what it is made of, not how it is described."""
    parts: list[object] = [graph_set.name, graph_set.mart]
    if isinstance(graph_set, NodeSet):
        parts += [graph_set.scope, graph_set.key_type, graph_set.key_column]
    else:
        parts += [graph_set.start.label, graph_set.end.label, graph_set.start_column, graph_set.end_column]
    parts += [(prop.name, prop.column, prop.type) for prop in graph_set.properties]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def model_diagram(
    nodes: tuple[NodeSet, ...] = NODE_SETS, relationships: tuple[RelationshipSet, ...] = RELATIONSHIP_SETS
) -> str:
    """The model as a Mermaid class diagram: a class per label with its properties, an arrow per relationship set."""
    lines = ["classDiagram", "    direction LR"]
    for node in nodes:
        key: list[tuple[str, str]] = [(node.key_type, KEY)]
        if node.scope is Scope.OWNED:
            key.insert(0, ("string", TENANT))
        lines.append(f"    class {node.label} {{")
        lines += [f"        {type_} {name} «key»" for type_, name in key]
        lines += [f"        {prop.type} {prop.name}" for prop in node.properties]
        lines.append("    }")
    for relationship in relationships:
        properties = f" ({', '.join(prop.name for prop in relationship.properties)})" if relationship.properties else ""
        lines.append(f"    {relationship.start.label} --> {relationship.end.label} : {relationship.type}{properties}")
    return "\n".join(lines) + "\n"
