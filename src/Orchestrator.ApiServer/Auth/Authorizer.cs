using Orchestrator.Api;

namespace Orchestrator.ApiServer.Auth;

/// <summary>What a rule allows. An asterisk stands for all.</summary>
/// <param name="Namespace">Null allows all namespaces and cluster-wide resources.</param>
internal sealed record AccessRule(IReadOnlyList<string> Verbs, string Group, IReadOnlyList<string> Resources, string? Namespace = null)
{
    public bool Allows(AccessQuestion question) =>
        Has(Verbs, question.Verb)
        && (Group == "*" || Group == question.Group)
        && Has(Resources, question.ResourceAndSubresource)
        && (Namespace is null || Namespace == question.Namespace);

    private static bool Has(IReadOnlyList<string> allowed, string wanted) => allowed.Contains("*") || allowed.Contains(wanted);
}

/// <summary>May somebody do this?</summary>
/// <param name="Namespace">Empty for cluster-wide resources and for requests over all namespaces.</param>
internal sealed record AccessQuestion(string Verb, string Group, string Resource, string Subresource, string Namespace)
{
    public string ResourceAndSubresource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";
}

/// <summary>
/// Fixed rules for the few who connect: the admin may do all; the controllers what they need; a proxy may look at what it routes to and
/// at the certificates laid out for it, and keep its Lease. On a real cluster RBAC says the same (the chart's Roles).
/// </summary>
internal static class Authorizer
{
    private static readonly string[] All = ["*"];
    private static readonly string[] Reading = ["get", "list", "watch"];
    private static readonly string[] Writing = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    private static readonly string[] Kinds = ["webapps", "replicas", "dockerhosts"];

    private static readonly AccessRule[] Everything = [new(All, "*", All)];

    private static readonly AccessRule[] OfController =
    [
        new(Writing, ApiGroup.Name, Kinds),
        new(["get", "update", "patch"], ApiGroup.Name, ["webapps/status", "replicas/status", "dockerhosts/status", "webapps/scale"]),
        new(["create", "update", "patch", "get", "list", "watch"], "", ["events"]),
        new(Reading, "", ["namespaces", "secrets", "configmaps"]),
        new(["create", "update", "delete"], "", ["secrets"]),
        new(Writing, "coordination.k8s.io", ["leases"]),
        new(Writing, "apps", ["controllerrevisions"]),
    ];

    private static readonly AccessRule[] OfProxy =
    [
        new(Reading, ApiGroup.Name, Kinds),
        new(All, "coordination.k8s.io", ["leases"], ApiGroup.SystemNamespace),
        new(Reading, "", ["secrets"], ApiGroup.ProxyNamespace),
    ];

    /// <summary>Anybody known may ask what they may do.</summary>
    private static readonly AccessRule[] OfAll =
    [
        new(["create"], "authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
        new(["create"], "authentication.k8s.io", ["selfsubjectreviews"]),
    ];

    public static bool Allows(Identity identity, AccessQuestion question) => RulesOf(identity).Any(rule => rule.Allows(question));

    public static IReadOnlyList<AccessRule> RulesOf(Identity identity) => identity switch
    {
        { IsAnonymous: true } => [],
        _ when identity.Groups.Contains(Identity.Masters) => Everything,
        { Name: Identity.Controller } => [.. OfController, .. OfAll],
        { Name: Identity.Proxy } => [.. OfProxy, .. OfAll],
        _ => OfAll,
    };

    /// <summary>Why not, in Kubernetes' words.</summary>
    public static string Explain(Identity identity, AccessQuestion question)
    {
        var scope = question.Namespace.Length > 0 ? $"in the namespace \"{question.Namespace}\"" : "at the cluster scope";
        return $"User \"{identity.Name}\" cannot {question.Verb} resource \"{question.ResourceAndSubresource}\" "
            + $"in API group \"{question.Group}\" {scope}";
    }
}
