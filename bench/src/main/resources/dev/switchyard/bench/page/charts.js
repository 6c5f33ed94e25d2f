// Draws each figure that has its series beside it with uPlot, in the place of its static picture.
(() => {
  "use strict";
  const number = (_, value) => (value == null ? "-" : String(Number(value.toPrecision(5))));
  const tick = (_, values) => values.map((value) => (value == null ? "" : number(_, value)));

  const straight = (plot, chart, color) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = color;
    ctx.setLineDash([4, 5]);
    ctx.beginPath();
    for (const mark of chart.marks) {
      const x = plot.valToPos(mark, "x", true);
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    for (const level of chart.levels) {
      const y = plot.valToPos(level, "y", true);
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
    }
    ctx.stroke();
    ctx.restore();
  };

  const size = (figure) => {
    const width = figure.clientWidth;
    return { width, height: Math.min(420, Math.max(260, Math.round(0.55 * width))) };
  };

  const draw = (figure) => {
    const chart = JSON.parse(figure.dataset.chart);
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color("--soft"), ticks: { stroke: color("--soft") }, values: tick };
    const scale = (logarithmic) => ({ time: false, distr: logarithmic ? 3 : 1 });
    const options = {
      ...size(figure),
      scales: {
        x: scale(chart.logX),
        y: chart.logY ? scale(true) : { ...scale(false), range: chart.range },
      },
      axes: [
        { ...axis, label: chart.x, grid: { show: false } },
        { ...axis, label: chart.y, size: 60, grid: { stroke: color("--faint") } },
      ],
      series: [
        { label: chart.x, value: number },
        ...chart.series.map((series) => {
          const stroke = color("--s" + (series.color % 10));
          const dash = series.color < 10 ? undefined : [7, 4];
          return series.joined
            ? { label: series.name, stroke, dash, width: 2, value: number }
            : {
                label: series.name,
                stroke,
                value: number,
                paths: () => null,
                points: { show: true, size: 9, fill: stroke },
              };
        }),
      ],
      hooks: { draw: [(plot) => straight(plot, chart, color("--soft"))] },
    };
    const plot = new uPlot(options, uPlot.join(chart.series.map(({ x, y }) => [x, y])), figure);
    figure.classList.add("live");
    return plot;
  };

  const figures = [...document.querySelectorAll("figure[data-chart]")];
  let plots = figures.map(draw);
  addEventListener("resize", () => plots.forEach((plot, i) => plot.setSize(size(figures[i]))));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    plots.forEach((plot) => plot.destroy());
    plots = figures.map(draw);
  });
})();
