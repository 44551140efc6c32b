/** Spans and metrics of OpenTelemetry for Levee. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // OpenTelemetry has no module descriptors
module dev.levee.opentelemetry {
    requires transitive dev.levee.core;
    requires org.slf4j;
    requires static transitive io.opentelemetry.api;
    requires static transitive io.opentelemetry.context;
    requires static transitive io.opentelemetry.sdk.common;
    requires static transitive io.opentelemetry.sdk.metrics;
    requires static transitive org.jspecify;

    exports dev.levee.opentelemetry;
}
