package dev.levee.grpc.balancing;

import io.grpc.ClientStreamTracer;
import io.grpc.Status;

/** A stream that a channel has made of a pick. */
record PickedStreamHandle(int port, ClientStreamTracer tracer) {
    void close(Status status) {
        tracer.streamClosed(status);
    }
}
