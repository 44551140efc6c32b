/**
 * Routing to the primary and the read replicas of a database: {@link dev.levee.jdbc.routing.RoutingDataSource} is a
 * {@link javax.sql.DataSource} in front of one pool for each node. It finds out itself which node is the primary and
 * how far each replica is behind, and reads what {@link dev.levee.core.consistency.Consistency} asks for. See ADR 157
 * to 160.
 */
@NullMarked
package dev.levee.jdbc.routing;

import org.jspecify.annotations.NullMarked;
