package org.springframework.web.servlet.function;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;

/** What is used of the type of Spring MVC, which is not among the dependencies of these tests. */
public interface ServerResponse {
    HttpStatusCode statusCode();

    HttpHeaders headers();
}
