using Orchestrator.ApiServer.Schema;

namespace Orchestrator.ApiServer.Resources;

/// <summary>The resources of Kubernetes itself that the server has: those that controllers and their users need beside the custom ones.</summary>
internal static class BuiltInResources
{
    private static readonly string[] CreateOnly = ["create"];

    /// <summary>The built-in ones and what the CRDs define, in the order of discovery.</summary>
    public static ResourceRegistry With(IEnumerable<ResourceDefinition> custom) => new([.. Core(), .. Groups(), .. custom]);

    private static IEnumerable<ResourceDefinition> Core()
    {
        yield return Kind("", "v1", "ConfigMap", "configmaps", true) with { ShortNames = ["cm"] };
        yield return Kind("", "v1", "Event", "events", true) with
        {
            ShortNames = ["ev"],
            SelectableFields =
            [
                "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
                "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
            ],
        };
        yield return Kind("", "v1", "Namespace", "namespaces", false) with
        {
            ShortNames = ["ns"],
            HasStatus = true,
            SelectableFields = ["status.phase"],
            // Kubernetes too has no way to delete all namespaces at once.
            Verbs = [.. ResourceDefinition.AllVerbs.Where(verb => verb != "deletecollection")],
        };
        yield return Kind("", "v1", "Secret", "secrets", true) with { SelectableFields = ["type"] };
    }

    private static IEnumerable<ResourceDefinition> Groups()
    {
        yield return Kind("apps", "v1", "ControllerRevision", "controllerrevisions", true);
        yield return Kind("coordination.k8s.io", "v1", "Lease", "leases", true);
        yield return Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false) with
        {
            ShortNames = ["crd", "crds"],
            Categories = ["api-extensions"],
            Verbs = ResourceDefinition.ReadOnlyVerbs,
        };
        yield return Kind("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", false) with { Verbs = CreateOnly };
        yield return Kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", false) with { Verbs = CreateOnly };
        yield return Kind("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", false) with { Verbs = CreateOnly };
    }

    private static ResourceDefinition Kind(string group, string version, string kind, string plural, bool namespaced) => new()
    {
        Group = group,
        Version = version,
        Kind = kind,
        ListKind = kind + "List",
        Plural = plural,
        Singular = kind.ToLowerInvariant(),
        Namespaced = namespaced,
        OpenApiSchema = BuiltinSchemas.Find(group, kind),
    };
}
