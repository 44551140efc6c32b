/** Micrometer's context-propagation for Levee. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // it has no module descriptor
module dev.levee.contextpropagation {
    requires transitive dev.levee.core;
    requires static transitive context.propagation;
    requires static transitive org.jspecify;

    exports dev.levee.contextpropagation;
}
