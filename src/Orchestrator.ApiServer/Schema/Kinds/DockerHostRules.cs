using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Schema.Kinds;

internal static class DockerHostRules
{
    private const string SshScheme = "ssh://";

    public static void Check(KindRuleContext context)
    {
        if (context.Resource.Object("spec") is not { } spec || !context.IsNew("spec"))
        {
            return;
        }

        CheckEndpoint(spec, context.Errors);
        CheckAddresses(spec, context.Errors);
        CheckPortRange(spec.Object("portRange"), context.Errors);
        CheckTaints(spec, context.Errors);
        CheckResources(spec, context.Errors);
    }

    private static void CheckResources(JsonObject spec, FieldErrors errors)
    {
        foreach (var name in (ReadOnlySpan<string>)["cpu", "memory"])
        {
            var capacity = TemplateRules.CheckQuantity(spec.Object("capacity")?[name], "spec.capacity." + name, errors);
            var node = spec.Object("reserved")?[name];
            if (TemplateRules.CheckQuantity(node, "spec.reserved." + name, errors) > capacity)
            {
                errors.Add(FieldError.Invalid("spec.reserved." + name, node, $"must be less than or equal to {name} capacity of {spec.Object("capacity")![name]}"));
            }
        }
    }

    private static void CheckEndpoint(JsonObject spec, FieldErrors errors)
    {
        var endpoint = spec.Text("endpoint") ?? "";
        var (isUnix, isSsh) = (endpoint.StartsWith("unix:", StringComparison.Ordinal), endpoint.StartsWith(SshScheme, StringComparison.Ordinal));
        if ((isUnix || isSsh) && spec.ContainsKey("tlsSecretName"))
        {
            errors.Add(FieldError.Forbidden("spec.tlsSecretName", isUnix ? "a unix socket has no TLS" : "ssh has keys of its own (spec.sshSecretName)"));
        }

        if (!isSsh && spec.ContainsKey("sshSecretName"))
        {
            errors.Add(FieldError.Forbidden("spec.sshSecretName", "it is for ssh endpoints"));
        }

        if (!isUnix && PortOf(endpoint, isSsh) is { } text
            && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535))
        {
            errors.Add(FieldError.Invalid("spec.endpoint", endpoint, "the port must be between 1 and 65535"));
        }
    }

    /// <returns>Null where an ssh endpoint leaves it to ssh's configuration; what is no endpoint at all has been told by the schema.</returns>
    private static string? PortOf(string endpoint, bool isSsh)
    {
        var authority = isSsh ? endpoint[SshScheme.Length..].Split('/')[0] : endpoint;
        var colon = authority.LastIndexOf(':');
        return isSsh && colon <= authority.LastIndexOf(']') ? null : authority[(colon + 1)..];
    }

    private static void CheckAddresses(JsonObject spec, FieldErrors errors)
    {
        if (spec.Text("publishAddress") is { } publish && !IPAddress.TryParse(publish, out _))
        {
            errors.Add(FieldError.Invalid("spec.publishAddress", publish, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
        }

        if (spec.Text("address") is { } address && !IPAddress.TryParse(address, out _)
            && LabelNames.CheckSubdomain(address.ToLowerInvariant()).Count > 0)
        {
            errors.Add(FieldError.Invalid("spec.address", address, "must be an IP address or a host name"));
        }
    }

    private static void CheckPortRange(JsonObject? range, FieldErrors errors)
    {
        if (range.Integer("first") is { } first && range.Integer("last") is { } last && first > last)
        {
            errors.Add(FieldError.Invalid("spec.portRange.last", last, $"must be greater than or equal to first, {first}"));
        }
    }

    private static void CheckTaints(JsonObject spec, FieldErrors errors)
    {
        var seen = new HashSet<(string?, string?)>();
        foreach (var (item, index) in spec.Items("taints"))
        {
            var (taint, path) = (item as JsonObject, $"spec.taints[{index}]");
            var (key, effect) = (taint.Text("key"), taint.Text("effect"));
            foreach (var fault in LabelNames.CheckKey(key ?? ""))
            {
                errors.Add(FieldError.Invalid(path + ".key", key, fault));
            }

            foreach (var fault in LabelNames.CheckValue(taint.Text("value") ?? ""))
            {
                errors.Add(FieldError.Invalid(path + ".value", taint.Text("value"), fault));
            }

            if (!seen.Add((key, effect)))
            {
                errors.Add(FieldError.Duplicate(path, new JsonObject { ["key"] = key, ["effect"] = effect }));
            }
        }
    }
}
