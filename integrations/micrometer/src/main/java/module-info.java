/** Figures and calls of Levee in Micrometer. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Micrometer has no module descriptors
module dev.levee.micrometer {
    requires transitive dev.levee.core;
    requires static transitive micrometer.commons;
    requires static transitive micrometer.core;
    requires static transitive micrometer.observation;
    requires static micrometer.registry.prometheus;
    requires static io.prometheus.metrics.model;
    requires static transitive org.jspecify;
    requires org.slf4j;

    exports dev.levee.micrometer;
}
