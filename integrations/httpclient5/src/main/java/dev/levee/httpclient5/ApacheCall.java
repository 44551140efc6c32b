package dev.levee.httpclient5;

import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.message.HttpRequestWrapper;
import org.jspecify.annotations.Nullable;

/** A request together with where it goes and the caller's context; user code sees the request. */
final class ApacheCall extends HttpRequestWrapper implements ClassicHttpRequest {
    final ClassicHttpRequest request;
    final HttpHost target;
    final HttpClientContext context;

    ApacheCall(ClassicHttpRequest request, HttpHost target, HttpClientContext context) {
        super(request);
        this.request = request;
        this.target = target;
        this.context = context;
    }

    @Override
    public @Nullable HttpEntity getEntity() {
        return request.getEntity();
    }

    @Override
    public void setEntity(@Nullable HttpEntity entity) {
        request.setEntity(entity);
    }

    @Override
    public String toString() {
        return request.toString();
    }
}
