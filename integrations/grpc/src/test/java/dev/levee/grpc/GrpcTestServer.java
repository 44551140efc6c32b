package dev.levee.grpc;

import io.grpc.CallOptions;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** A gRPC server on loopback whose one method, a text to a text, does what a test says. */
public final class GrpcTestServer implements AutoCloseable {
    static final MethodDescriptor.Marshaller<String> TEXT = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    public static final MethodDescriptor<String, String> SAY = method("Say", MethodDescriptor.MethodType.UNARY, false);
    public static final MethodDescriptor<String, String> ASK = method("Ask", MethodDescriptor.MethodType.UNARY, true);

    /** For the server it streams, so that headers and messages are sent at once and not with the end. */
    static final MethodDescriptor<String, String> STALL = method("Stall", MethodDescriptor.MethodType.UNARY, true);

    public static final MethodDescriptor<String, String> CHAT =
            method("Chat", MethodDescriptor.MethodType.BIDI_STREAMING, false);

    final AtomicInteger received = new AtomicInteger();
    final AtomicInteger cancelled = new AtomicInteger();
    final List<Metadata> headers = new CopyOnWriteArrayList<>();
    private final Server server;

    /** What a call does when it is half-closed. */
    public interface Answer {
        void to(ServerCall<String, String> call, String message, int number);
    }

    public GrpcTestServer(Answer answer, ServerInterceptor... interceptors) {
        this(0, answer, interceptors);
    }

    public GrpcTestServer(int port, Answer answer, ServerInterceptor... interceptors) {
        ServerCallHandler<String, String> handler = (call, metadata) -> {
            headers.add(metadata);
            call.request(2);
            return new ServerCall.Listener<>() {
                private String message = "";

                @Override
                public void onMessage(String arrived) {
                    message = arrived;
                }

                @Override
                public void onHalfClose() {
                    answer.to(call, message, received.incrementAndGet());
                }

                @Override
                public void onCancel() {
                    cancelled.incrementAndGet();
                }
            };
        };
        ServerServiceDefinition service = ServerServiceDefinition.builder("test.Echo")
                .addMethod(SAY, handler)
                .addMethod(ASK, handler)
                .addMethod(CHAT, handler)
                .addMethod(
                        STALL.toBuilder()
                                .setType(MethodDescriptor.MethodType.SERVER_STREAMING)
                                .build(),
                        handler)
                .build();
        server = NettyServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                        InsecureServerCredentials.create())
                .addService(ServerInterceptors.intercept(service, interceptors))
                .build();
        try {
            server.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MethodDescriptor<String, String> method(
            String name, MethodDescriptor.MethodType type, boolean idempotent) {
        return MethodDescriptor.<String, String>newBuilder()
                .setFullMethodName("test.Echo/" + name)
                .setType(type)
                .setIdempotent(idempotent)
                .setRequestMarshaller(TEXT)
                .setResponseMarshaller(TEXT)
                .build();
    }

    public static void reply(ServerCall<String, String> call, String text) {
        Metadata head = new Metadata();
        head.put(Metadata.Key.of("head", Metadata.ASCII_STRING_MARSHALLER), text);
        call.sendHeaders(head);
        call.sendMessage(text);
        Metadata tail = new Metadata();
        tail.put(Metadata.Key.of("tail", Metadata.ASCII_STRING_MARSHALLER), text);
        call.close(io.grpc.Status.OK, tail);
    }

    public int port() {
        return server.getPort();
    }

    public static ManagedChannel channelTo(int port) {
        return NettyChannelBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .usePlaintext()
                .disableRetry()
                .build();
    }

    ManagedChannel channel() {
        return channelTo(port());
    }

    static CallOptions in(Duration deadline) {
        return CallOptions.DEFAULT.withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS);
    }

    public static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("it did not happen within 30 s");
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Override
    public void close() {
        server.shutdownNow();
        try {
            server.awaitTermination(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
