using System.Text.Json.Nodes;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules of what a route says beyond hosts and path: matches, rewrites, headers, redirects.</summary>
internal static class RouteRules
{
    private static readonly string[] Edits = ["set", "add", "remove"];
    private static readonly string[] Probes = ["startupProbe", "readinessProbe", "livenessProbe"];
    private static readonly string[] ProbesWithRequests = ["httpGet", "grpc"];

    public static void Check(JsonObject? route, string path, FieldErrors errors)
    {
        CheckMatch(route.Object("match"), path + ".match", errors);
        CheckRewrite(route.Object("rewrite"), path + ".rewrite", errors);
        CheckEdits(route.Object("requestHeaders"), path + ".requestHeaders", errors);
        CheckEdits(route.Object("responseHeaders"), path + ".responseHeaders", errors);
        CheckRedirects(route, path, errors);
        CheckAcme(route, path, errors);
    }

    /// <summary>A probe is no client of a proxy: a server that waits for a PROXY protocol header would never answer it.</summary>
    public static void CheckProbes(JsonObject spec, FieldErrors errors)
    {
        if (spec.Object("route").Text("proxyProtocol") is null)
        {
            return;
        }

        foreach (var probe in Probes)
        {
            foreach (var handler in ProbesWithRequests)
            {
                if (spec.Object(probe)?[handler] is not null)
                {
                    errors.Add(FieldError.Forbidden(
                        $"spec.{probe}.{handler}", "comes without a PROXY protocol header, which route.proxyProtocol makes the app wait for: use tcpSocket or exec"));
                }
            }
        }
    }

    private static void CheckMatch(JsonObject? match, string path, FieldErrors errors)
    {
        foreach (var (item, index) in match.Items("methods"))
        {
            if (item?.ToString() == "CONNECT")
            {
                errors.Add(FieldError.Invalid($"{path}.methods[{index}]", item, "is never passed on: a proxy in front of servers makes no tunnels"));
            }
        }

        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (item, index) in match.Items("headers"))
        {
            var header = item as JsonObject;
            var (name, value) = (header.Text("name"), header.Text("value"));
            if (name is not null && !names.Add(name))
            {
                errors.Add(FieldError.Duplicate($"{path}.headers[{index}].name", name));
            }

            if ("Host".Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                errors.Add(FieldError.Invalid($"{path}.headers[{index}].name", name, "is matched by hosts"));
            }

            if (value is not null && header.Text("type") == HeaderMatchTypes.RegularExpression && !HeaderPattern.TryParse(value, out _, out var problem))
            {
                errors.Add(FieldError.Invalid($"{path}.headers[{index}].value", value, problem));
            }
        }
    }

    private static void CheckRewrite(JsonObject? rewrite, string path, FieldErrors errors)
    {
        if (rewrite is null)
        {
            return;
        }

        if (rewrite["path"] is null && rewrite["host"] is null)
        {
            errors.Add(FieldError.Required(path, "one of path and host is needed"));
        }

        CheckSegments(rewrite.Text("path"), path + ".path", errors);
    }

    private static void CheckEdits(JsonObject? edits, string path, FieldErrors errors)
    {
        var seen = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var list in Edits)
        {
            foreach (var (item, index) in edits.Items(list))
            {
                var name = list == "remove" ? item?.ToString() : (item as JsonObject).Text("name");
                var field = list == "remove" ? $"{path}.remove[{index}]" : $"{path}.{list}[{index}].name";
                if (name is null)
                {
                    continue;
                }

                if (ReservedHeaders.WhyNot(name) is { } reason)
                {
                    errors.Add(FieldError.Invalid(field, name, reason));
                }

                // One header may be added twice, with two values.
                if (!seen.TryAdd(name, list) && (seen[name] != "add" || list != "add"))
                {
                    errors.Add(FieldError.Invalid(field, name, $"is in {seen[name]} already: a header is set, added or removed"));
                }
            }
        }
    }

    private static void CheckRedirects(JsonObject? route, string path, FieldErrors errors)
    {
        var seen = new HashSet<(string Host, string Path, bool Exact)>();
        foreach (var (item, index) in route.Items("redirects"))
        {
            if (item is not JsonObject redirect)
            {
                continue;
            }

            var field = $"{path}.redirects[{index}]";
            WebAppRules.CheckHosts(redirect, field, errors);
            CheckSegments(redirect.Text("path"), field + ".path", errors);
            var from = redirect.Text("path") ?? Route.DefaultPath;
            var exact = redirect.Text("pathType") == PathTypes.Exact;
            var hosts = HostsOf(redirect) is { Count: > 0 } own ? own : HostsOf(route);
            foreach (var host in hosts.DefaultIfEmpty(""))
            {
                if (!seen.Add((host, RouteClaims.PathOf(from, exact), exact)))
                {
                    errors.Add(FieldError.Invalid(field, redirect.DeepClone(), "is for the same host and path as one before it"));
                    break;
                }
            }

            if (redirect.Text("to") is { } to && LeadsBack(to, hosts, from, exact))
            {
                errors.Add(FieldError.Invalid($"{field}.to", to, "leads to itself: clients would go round in circles"));
            }
        }
    }

    /// <summary>An authority asks for a file at each host: it must be one, and reach us by that name.</summary>
    private static void CheckAcme(JsonObject? route, string path, FieldErrors errors)
    {
        var tls = route.Object("tls");
        if (!tls.Flag("acme") || route.Text("protocol") == ReplicaProtocols.Tcp)
        {
            return;
        }

        if (tls!["secretName"] is not null)
        {
            errors.Add(FieldError.Invalid($"{path}.tls.acme", true, "acme and secretName cannot be both set: the certificate is ordered, or comes from the Secret"));
        }

        if (HostsOf(route).Count == 0)
        {
            errors.Add(FieldError.Required($"{path}.hosts", "tls.acme orders a certificate for these"));
        }

        List<(JsonObject? Owner, string Field)> owners = [(route, path), .. route.Items("redirects").Select(redirect => (redirect.Item as JsonObject, $"{path}.redirects[{redirect.Index}]"))];
        foreach (var (owner, field) in owners)
        {
            foreach (var (host, index) in HostsOf(owner).Select((host, index) => (host, index)).Where(entry => entry.host.StartsWith("*.", StringComparison.Ordinal)))
            {
                errors.Add(FieldError.Invalid($"{field}.hosts[{index}]", host, "must be exact with tls.acme: certificates for wildcards cannot be ordered, they come from a Secret (tls.secretName)"));
            }
        }

        if (owners.SelectMany(entry => HostsOf(entry.Owner)).Distinct().Count() is > AcmeCertificates.MostHosts and var count)
        {
            errors.Add(FieldError.TooMany($"{path}.hosts", count, AcmeCertificates.MostHosts));
        }
    }

    private static List<string> HostsOf(JsonObject? owner) => [.. owner.Items("hosts").Select(host => host.Item?.ToString() ?? "")];

    /// <summary>Whether the place that a redirect leads to is its own.</summary>
    private static bool LeadsBack(string to, List<string> hosts, string from, bool exact)
    {
        var authority = to.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? to[(scheme + 3)..] : null;
        var slash = authority?.IndexOf('/', StringComparison.Ordinal) ?? 0;
        var path = authority is null ? to : slash < 0 ? Route.DefaultPath : authority[slash..];
        var host = authority is null ? null : (slash < 0 ? authority : authority[..slash]).Split(':')[0];
        var isHere = host is null || hosts.Count == 0 || hosts.Exists(one => one == host || (one.StartsWith("*.", StringComparison.Ordinal) && host.EndsWith(one[1..], StringComparison.Ordinal)));
        var prefix = from.TrimEnd('/');
        return isHere && (exact ? path == from : path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal));
    }

    // Clients resolve these before they ask, so that such a path never comes.
    private static void CheckSegments(string? path, string field, FieldErrors errors)
    {
        if (path is not null && path.Split('/').Any(segment => segment is "." or ".."))
        {
            errors.Add(FieldError.Invalid(field, path, "must not have the segments . or .."));
        }
    }
}
