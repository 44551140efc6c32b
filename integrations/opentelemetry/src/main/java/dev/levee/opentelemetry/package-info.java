/**
 * Spans, events, metrics and the context of OpenTelemetry for Levee: {@link dev.levee.opentelemetry.Tracing} and
 * {@link dev.levee.opentelemetry.OpenTelemetryMetrics}. Needs the API alone; with no SDK behind it nothing is recorded.
 */
@NullMarked
package dev.levee.opentelemetry;

import org.jspecify.annotations.NullMarked;
