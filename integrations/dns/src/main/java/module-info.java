/** Discovery by DNS: endpoints from A, AAAA and SRV records. */
module dev.levee.dns {
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires org.dnsjava;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.dns;
}
