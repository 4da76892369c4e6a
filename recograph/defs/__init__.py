"""The Dagster objects, one module per step of the flow from dump to graph."""

import warnings

# Here, so that they hold whichever module is loaded first; by their words, since not all modules load Dagster.
# Called beta, and yet the only way to observe what isn't ours, and to link assets to their code.
_BETA = "observable_source_asset|with_source_code_references|CodeReference"
warnings.filterwarnings("ignore", message=f".*({_BETA}).*is currently in beta")
# In preview, and yet the only way to say of which customer and day a check's result is.
warnings.filterwarnings("ignore", message=".*partitions_def on an AssetCheckSpec is currently in preview")
