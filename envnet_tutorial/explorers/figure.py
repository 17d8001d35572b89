"""A matplotlib figure under sliders, which is the same figure where nobody can move them (lesson 5)."""

import base64
import html
import io
from collections.abc import Callable

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def interactive_figure(draw: Callable[..., Figure], **controls) -> None:
    """Show a figure that is drawn again whenever a control moves (lesson 5).

    The cell gets one output in several formats: a live notebook shows the controls, a page without a kernel shows
    the picture at the values that the controls start with.

    Parameters
    ----------
    draw : callable
        Takes one keyword argument for each control and returns the matplotlib figure (or axes) that it has drawn.
    **controls : ipywidgets.Widget or abbreviation
        A widget with a ``value``, or what `ipywidgets.interact` takes for one: ``(low, high, step)``, a list of
        options, a bool, a str. A widget without a description is named after its argument.

    Raises
    ------
    TypeError
        If `draw` returns no figure, or a control is nothing that `ipywidgets` can turn into one.
    """
    _, bundle = figure_panel(draw, controls)
    display(bundle, raw=True)


def figure_panel(draw: Callable[..., Figure], controls: dict) -> tuple[ipywidgets.Widget, dict]:
    """Build the panel of `interactive_figure` and the formats in which a cell stores it.

    Parameters
    ----------
    draw : callable
    controls : dict
        As `interactive_figure` takes them.

    Returns
    -------
    panel : ipywidgets.VBox
        The controls and, last, the picture.
    bundle : dict
        Output by MIME type: widget view, ``image/png`` at the start values, ``text/plain``.
    """
    widgets = {name: as_widget(name, control) for name, control in controls.items()}
    picture = ipywidgets.HTML()
    start = _render(draw, widgets)
    picture.value = _image(start, widgets)

    def redraw(change):
        try:
            picture.value = _image(_render(draw, widgets), widgets)
        except Exception as error:
            picture.value = f'<p role="alert">{html.escape(f"{type(error).__name__}: {error}")}</p>'
            raise

    for widget in widgets.values():
        widget.observe(redraw, names="value")
    panel = ipywidgets.VBox([*widgets.values(), picture])
    bundle = {
        WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": panel.model_id},
        "image/png": base64.b64encode(start).decode("ascii"),
        "text/plain": f"<Figure to move: {_state(widgets)}>",
    }
    return panel, bundle


def as_widget(name: str, control) -> ipywidgets.Widget:
    """Turn a control into a widget with a label that is read in full, and that reports only where it comes to rest."""
    is_widget = isinstance(control, ipywidgets.Widget)
    widget = control if is_widget else ipywidgets.interactive.widget_from_abbrev(control)
    if widget is None or not hasattr(widget, "value"):
        raise TypeError(f"{name}={control!r} is neither a widget with a value nor an abbreviation of one")
    widget.description = widget.description or name.replace("_", " ")
    widget.style.description_width = "initial"
    if hasattr(widget, "continuous_update"):
        widget.continuous_update = False
    if not is_widget or widget.layout.width is None:
        widget.layout.width = "min(32rem, 95%)"
    return widget


def _state(widgets: dict[str, ipywidgets.Widget]) -> str:
    """Say in words where the controls stand."""
    return ", ".join(f"{widget.description} = {widget.value}" for widget in widgets.values())


def _render(draw: Callable[..., Figure], widgets: dict[str, ipywidgets.Widget]) -> bytes:
    """Draw at the present values and return the picture as PNG; the figure is closed, so that it shows once."""
    drawn = draw(**{name: widget.value for name, widget in widgets.items()})
    figure = drawn.figure if isinstance(drawn, Axes) else drawn
    if not isinstance(figure, Figure):
        raise TypeError(f"draw must return the matplotlib figure that it has drawn, not {drawn!r}")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=figure.dpi, metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()


def _image(png: bytes, widgets: dict[str, ipywidgets.Widget]) -> str:
    alt = html.escape(f"The figure at {_state(widgets)}", quote=True)
    picture = base64.b64encode(png).decode("ascii")
    return f'<img style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{picture}">'
