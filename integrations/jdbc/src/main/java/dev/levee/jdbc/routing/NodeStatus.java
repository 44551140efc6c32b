package dev.levee.jdbc.routing;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link RoutingDataSource} knows of a node. Immutable.
 *
 * @param name the name of the node
 * @param primary whether writes go there
 * @param readable whether reads may go there as to a replica
 * @param position how far it had come when it last answered; 0 if it never has
 * @param lag how far it was behind at the last look, by time; null if that is not known
 * @param why why it is neither the primary nor readable; empty if it is one of them
 * @since 0.1
 */
public record NodeStatus(
        String name,
        boolean primary,
        boolean readable,
        long position,
        @Nullable Duration lag,
        String why) {}
