"""What experiments found, kept with everything needed to believe it and to make it again (lessons 4 and 5).

There is one idea of a result: settings, tables, arrays (`Result`). What a lesson wants to know of one is a function in
`views`. `load_result` reads those that come with the package, folders below ``shipped``; `experiments` makes them.
"""

from envnet_tutorial.results.result import SHIPPED, Result, load_result, read_table

__all__ = ["SHIPPED", "Result", "load_result", "read_table"]
