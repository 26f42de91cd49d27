package org.litestream4j.spring.actuate;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.InvocationContext;
import org.springframework.boot.actuate.endpoint.OperationType;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvoker;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvokerAdvisor;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameters;
import org.springframework.boot.actuate.endpoint.invoke.ParameterMappingException;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;

/**
 * Explains invalid requests. By default, an endpoint ignores unknown fields and hides the errors of others; a misspelt
 * {@code txid} must not restore the newest state.
 */
final class Problems implements OperationInvokerAdvisor {

    private final EndpointId endpoint;

    Problems(EndpointId endpoint) {
        this.endpoint = endpoint;
    }

    @Override
    public OperationInvoker apply(
            EndpointId endpointId, OperationType type, OperationParameters parameters, OperationInvoker invoker) {
        if (!endpointId.equals(endpoint)) {
            return invoker;
        }
        List<String> known = parameters.stream().map(each -> each.getName()).toList();
        return context -> {
            try {
                if (type != OperationType.READ) {
                    refuseUnknown(context, known);
                }
                return invoker.invoke(context);
            } catch (RequestException e) {
                return answer(e.status(), String.valueOf(e.getMessage()));
            } catch (ParameterMappingException e) {
                return answer(RequestException.BAD_REQUEST, wrongValue(e));
            }
        };
    }

    private static void refuseUnknown(InvocationContext context, List<String> known) {
        Map<String, Object> arguments = context.getArguments();
        for (String name : new TreeSet<>(arguments.keySet())) {
            if (!known.contains(name)) {
                throw RequestException.badRequest("unknown field: " + RequestException.echo(name));
            }
        }
    }

    private static String wrongValue(ParameterMappingException e) {
        Class<?> type = e.getParameter().getType();
        String allowed = type.isEnum()
                ? "; allowed: "
                        + String.join(
                                ", ",
                                Arrays.stream(type.getEnumConstants())
                                        .map(value -> value.toString().toLowerCase(Locale.ROOT))
                                        .toList())
                : ": not a " + type.getSimpleName();
        return e.getParameter().getName() + " = " + RequestException.echo(String.valueOf(e.getValue())) + allowed;
    }

    private static WebEndpointResponse<Problem> answer(int status, String text) {
        return new WebEndpointResponse<>(new Problem(text), status);
    }

    /** @param error description of the problem */
    record Problem(@Nullable String error) {}
}
