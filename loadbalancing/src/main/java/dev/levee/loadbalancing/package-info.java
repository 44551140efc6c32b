/** Client-side load balancing and consistent hashing. */
@NullMarked
package dev.levee.loadbalancing;

import org.jspecify.annotations.NullMarked;
