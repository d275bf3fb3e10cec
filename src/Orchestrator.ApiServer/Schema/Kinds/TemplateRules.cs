using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules of what makes a container: the spec of a WebApp, the template of a Replica.</summary>
internal static class TemplateRules
{
    /// <summary>Bytes. The engine refuses less.</summary>
    private const decimal MinMemoryLimit = 6 * 1024 * 1024;

    /// <summary>Cores. The engine's period of 100 ms with the kernel's shortest quota of 1 ms.</summary>
    private const decimal MinCpuLimit = 0.010m;

    private const int DefaultPort = 8080;

    /// <summary>Seconds. Kubernetes' default.</summary>
    private const int DefaultGrace = 30;

    private static readonly string[] ProbeHandlers = ["httpGet", "tcpSocket", "exec", "grpc"];
    private static readonly string[] HookHandlers = ["httpGet", "exec", "sleep"];

    /// <param name="path">Where the template is, such as <c>spec</c>.</param>
    public static void Check(JsonObject template, string path, FieldErrors errors)
    {
        CheckResources(template.Object("resources"), path + ".resources", errors);
        var port = template.Integer("port") ?? DefaultPort;
        foreach (var probe in (ReadOnlySpan<string>)["readinessProbe", "livenessProbe", "startupProbe"])
        {
            if (template.Object(probe) is { } present)
            {
                CheckHandler(present, ProbeHandlers, $"{path}.{probe}", port, errors);
            }
        }

        CheckLifecycle(template, path, port, errors);
        ContentRules.Check(template, path, errors);
        foreach (var (item, index) in template.Items("imagePullSecrets"))
        {
            if ((item as JsonObject).Text("name") is { } name)
            {
                foreach (var fault in LabelNames.CheckSubdomain(name))
                {
                    errors.Add(FieldError.Invalid($"{path}.imagePullSecrets[{index}].name", name, fault));
                }
            }
        }
    }

    /// <summary>A quantity that is no quantity, or a negative one.</summary>
    public static decimal? CheckQuantity(JsonNode? node, string path, FieldErrors errors)
    {
        if (node is null)
        {
            return null;
        }

        if (!Quantity.TryRead(node, out var value))
        {
            errors.Add(FieldError.Invalid(path, node, "must be a quantity of at most 2^63-1, such as 500m, 64Mi or 2"));
            return null;
        }

        if (value < 0)
        {
            errors.Add(FieldError.Invalid(path, node, "must be greater than or equal to 0"));
            return null;
        }

        return value;
    }

    private static void CheckResources(JsonObject? resources, string path, FieldErrors errors)
    {
        CheckResource(resources, path, "cpu", MinCpuLimit, "10m", errors);
        CheckResource(resources, path, "memory", MinMemoryLimit, "6Mi", errors);
    }

    private static void CheckResource(
        JsonObject? resources, string path, string name, decimal least, string leastShown, FieldErrors errors)
    {
        var (requestNode, limitNode) = (resources.Object("requests")?[name], resources.Object("limits")?[name]);
        var request = CheckQuantity(requestNode, $"{path}.requests.{name}", errors);
        var limit = CheckQuantity(limitNode, $"{path}.limits.{name}", errors);
        if (limit < least)
        {
            errors.Add(FieldError.Invalid($"{path}.limits.{name}", limitNode, $"must be greater than or equal to {leastShown}"));
        }

        if (request > limit)
        {
            errors.Add(FieldError.Invalid(
                $"{path}.requests.{name}", requestNode, $"must be less than or equal to {name} limit of {limitNode!.ToString()}"));
        }
    }

    private static void CheckLifecycle(JsonObject template, string path, long port, FieldErrors errors)
    {
        var lifecycle = template.Object("lifecycle");
        foreach (var hook in (ReadOnlySpan<string>)["postStart", "preStop"])
        {
            if (lifecycle.Object(hook) is { } present)
            {
                CheckHandler(present, HookHandlers, $"{path}.lifecycle.{hook}", port, errors);
            }
        }

        var grace = template.Integer("terminationGracePeriodSeconds") ?? DefaultGrace;
        if (lifecycle.Object("preStop").Object("sleep").Integer("seconds") is { } seconds && seconds > grace)
        {
            errors.Add(FieldError.Invalid(
                $"{path}.lifecycle.preStop.sleep.seconds", seconds, $"must be less than or equal to terminationGracePeriodSeconds ({grace})"));
        }
    }

    private static void CheckHandler(JsonObject holder, string[] handlers, string path, long port, FieldErrors errors)
    {
        var present = handlers.Where(holder.ContainsKey).ToList();
        if (present.Count == 0)
        {
            errors.Add(FieldError.Required(path, "must specify a handler type"));
        }

        foreach (var extra in present.Skip(1))
        {
            errors.Add(FieldError.Forbidden($"{path}.{extra}", "may not specify more than 1 handler type"));
        }

        foreach (var handler in present.Where(name => name != "exec"))
        {
            if (holder.Object(handler).Integer("port") is { } probed && probed != port)
            {
                errors.Add(FieldError.Invalid($"{path}.{handler}.port", probed, $"must be the app's port {port}: no other is published"));
            }
        }
    }
}
