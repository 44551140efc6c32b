package dev.levee.ratelimit.work;

import org.jspecify.annotations.Nullable;

/** What can be in one {@link WorkList} at a time, without an object for its place there. */
abstract class WorkNode {
    @Nullable WorkNode before;

    @Nullable WorkNode after;

    @Nullable WorkList<?> list;
}
