/**
 * Discovery: endpoints, and the sources that publish them.
 *
 * <p>An {@link dev.levee.loadbalancing.discovery.Endpoint} has an id, an address and a weight. An
 * {@link dev.levee.loadbalancing.discovery.EndpointSource} publishes the current set of endpoints to a balancer: a
 * fixed list, a file, a function that is polled, or a look-up of a host name.
 */
@NullMarked
package dev.levee.loadbalancing.discovery;

import org.jspecify.annotations.NullMarked;
