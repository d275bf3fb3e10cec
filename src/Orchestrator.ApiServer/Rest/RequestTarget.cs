using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.Rest;

/// <summary>What a request under <c>/api</c> or <c>/apis</c> is about: Kubernetes' RequestInfo.</summary>
/// <param name="Verb">get, list, watch, create, update, patch, delete or deletecollection.</param>
/// <param name="Namespace">Empty for all, or for a cluster-wide resource.</param>
/// <param name="Name">Empty for a collection.</param>
/// <param name="Subresource">Empty for the object itself.</param>
internal sealed record RequestTarget(ResourceDefinition Resource, string Verb, string Namespace, string Name, string Subresource)
{
    /// <returns>Null when the path is none of a resource that is served.</returns>
    public static RequestTarget? Find(ResourceRegistry resources, HttpRequest request)
    {
        var path = request.Path.Value!.Trim('/').Split('/');
        var (group, version, rest) = path switch
        {
            ["api", var v, .. var r] => ("", v, r),
            ["apis", var g, var v, .. var r] => (g, v, r),
            _ => ("", "", []),
        };
        var (@namespace, plural, name, subresource) = rest switch
        {
            ["namespaces", var ns, "status" or "finalize"] when group.Length == 0 => ("", "namespaces", ns, rest[2]),
            ["namespaces", var ns, var p] => (ns, p, "", ""),
            ["namespaces", var ns, var p, var n] => (ns, p, n, ""),
            ["namespaces", var ns, var p, var n, var s] => (ns, p, n, s),
            [var p] => ("", p, "", ""),
            [var p, var n] => ("", p, n, ""),
            [var p, var n, var s] => ("", p, n, s),
            _ => ("", "", "", ""),
        };
        if (resources.Find(group, version, plural) is not { } resource || (!resource.Namespaced && @namespace.Length > 0))
        {
            return null;
        }

        // An object in a namespace has no path without it.
        if (resource.Namespaced && @namespace.Length == 0 && name.Length > 0)
        {
            return null;
        }

        return new RequestTarget(resource, VerbOf(request, name), @namespace, name, subresource);
    }

    private static string VerbOf(HttpRequest request, string name) => request.Method switch
    {
        "GET" or "HEAD" when IsTrue(request.Query["watch"]) => "watch",
        "GET" or "HEAD" => name.Length == 0 ? "list" : "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => name.Length == 0 ? "deletecollection" : "delete",
        _ => "",
    };

    internal static bool IsTrue(string? value) => value is "true" or "1" or "True" or "TRUE" or "t" or "T";
}
