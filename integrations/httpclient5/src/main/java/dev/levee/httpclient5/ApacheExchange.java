package dev.levee.httpclient5;

import dev.levee.http.blocking.BlockingExchange;
import java.io.IOException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;

/** An execution at one endpoint. */
final class ApacheExchange extends BlockingExchange<ClassicHttpResponse> {
    /** Less than a new connection costs. */
    private static final long MAX_BYTES = 65_536;

    private static final String ATTRIBUTE = "dev.levee.exchange";

    private final CloseableHttpClient client;
    private final HttpHost target;
    private final HttpUriRequestBase request;
    private final HttpClientContext context;
    private volatile boolean maybeSent;

    ApacheExchange(CloseableHttpClient client, HttpHost target, HttpUriRequestBase request, HttpClientContext given) {
        this.client = client;
        this.target = target;
        this.request = request;
        this.context = new HttpClientContext(given);
        copySettings(given, context);
        context.setAttribute(ATTRIBUTE, this);
    }

    private static void copySettings(HttpClientContext from, HttpClientContext to) {
        to.setProtocolVersion(from.getProtocolVersion());
        to.setRequestConfig(from.getRequestConfig());
        to.setCookieStore(from.getCookieStore());
        to.setCookieSpecRegistry(from.getCookieSpecRegistry());
        to.setCredentialsProvider(from.getCredentialsProvider());
        to.setAuthSchemeRegistry(from.getAuthSchemeRegistry());
        to.setAuthCache(from.getAuthCache());
        to.setUserToken(from.getUserToken());
    }

    /** Stands before the part that writes, where there is a connection already. */
    static ClassicHttpResponse sending(ClassicHttpRequest sent, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        if (scope.clientContext.getAttribute(ATTRIBUTE) instanceof ApacheExchange exchange) {
            exchange.maybeSent = true;
        }
        return chain.proceed(sent, scope);
    }

    /** Tells the caller's context what became of its request. */
    void copyTo(HttpClientContext given) {
        given.setProtocolVersion(context.getProtocolVersion());
        given.setRequest(context.getRequest());
        given.setResponse(context.getResponse());
        given.setEndpointDetails(context.getEndpointDetails());
        given.setSSLSession(context.getSSLSession());
        given.setRedirectLocations(context.getRedirectLocations());
        if (context.getHttpRoute() instanceof HttpRoute route) {
            given.setRoute(route);
        }
    }

    @Override
    protected ClassicHttpResponse run() throws IOException {
        ClassicHttpResponse response = client.executeOpen(target, request, context);
        HttpEntity entity = response.getEntity();
        if (entity == null) {
            return response;
        }
        response.setEntity(new HeldEntity(entity, this));
        return CloseableHttpResponse.create(response, (closing, mode) -> closeNow(response, mode));
    }

    private void closeNow(ClassicHttpResponse response, CloseMode mode) throws IOException {
        try {
            if (mode == CloseMode.IMMEDIATE && response instanceof ModalCloseable modal) {
                modal.close(mode);
            } else {
                response.close();
            }
        } finally {
            bodyEnded();
        }
    }

    @Override
    protected void abort() {
        request.cancel();
    }

    /** Reads what is left if that is near, so that the connection can be used again. */
    @Override
    protected void close(ClassicHttpResponse response) {
        HttpEntity entity = response.getEntity();
        long length = entity == null ? 0 : entity.getContentLength();
        try {
            closeNow(response, length >= 0 && length <= MAX_BYTES ? CloseMode.GRACEFUL : CloseMode.IMMEDIATE);
        } catch (IOException gone) {
            request.cancel();
        }
    }

    @Override
    protected boolean maybeSent() {
        return maybeSent;
    }

    void bodyEnded() {
        bodyEnd().complete(null);
    }

    void bodyFailed(IOException failure) {
        bodyBroke(failure);
    }
}
