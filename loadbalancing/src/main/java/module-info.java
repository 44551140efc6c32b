/** Client-side load balancing and consistent hashing. */
module dev.levee.loadbalancing {
    requires transitive dev.levee.core;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.loadbalancing;
    exports dev.levee.loadbalancing.discovery;
    exports dev.levee.loadbalancing.hash;
    exports dev.levee.loadbalancing.strategy;
}
