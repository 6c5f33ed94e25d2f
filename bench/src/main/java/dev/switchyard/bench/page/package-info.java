/**
 * Results as a page that a person looks at: {@link dev.switchyard.bench.page.Findings} become a
 * {@link dev.switchyard.bench.page.Page} with tables and {@link dev.switchyard.bench.page.Figure}s,
 * a {@link dev.switchyard.bench.page.LineChart}, a {@link dev.switchyard.bench.page.BarChart} or
 * {@link dev.switchyard.bench.page.MarkedWords}.
 */
package dev.switchyard.bench.page;
