/** A live page of the policies of a process. */
module dev.levee.console {
    requires transitive dev.levee.circuitbreaker;
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires jdk.httpserver;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.console;
}
