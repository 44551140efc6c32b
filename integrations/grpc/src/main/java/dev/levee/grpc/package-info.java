/**
 * Guards for gRPC: {@link dev.levee.grpc.GrpcClientGuard} for channels and stubs,
 * {@link dev.levee.grpc.GrpcServerGuard} for servers, and what a status means to policies
 * ({@link dev.levee.grpc.GrpcOutcomes}).
 */
@NullMarked
package dev.levee.grpc;

import org.jspecify.annotations.NullMarked;
