using System.Security.Cryptography;
using k8s;
using k8s.Models;

namespace Orchestrator.Api;

/// <summary>
/// Names a revision of a template: equal templates have equal hashes, on any machine and in any later version that adds
/// optional fields (absent fields are not part of the text that is hashed).
/// </summary>
public static class RevisionHash
{
    /// <summary>Ten characters of 27 choices: 47 bits, ample for the few revisions of one app.</summary>
    public const int Length = 10;

    // Kubernetes' alphabet for generated names: no vowels, so no words; none that look alike.
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    public static string Of(ReplicaTemplate template)
    {
        var digest = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(KubernetesJson.Serialize(InOrder(template))));
        return string.Create(Length, digest, static (name, bytes) =>
        {
            for (var i = 0; i < name.Length; i++)
            {
                name[i] = Alphabet[bytes[i] % Alphabet.Length];
            }
        });
    }

    /// <summary>Keys of maps have no order that means anything, and servers keep or change it as they like.</summary>
    private static ReplicaTemplate InOrder(ReplicaTemplate template)
    {
        var ordered = template.ToTemplate();
        if (template.Resources is { } resources)
        {
            ordered.Resources = new ResourceNeeds { Requests = InOrder(resources.Requests), Limits = InOrder(resources.Limits) };
        }

        return ordered;
    }

    private static SortedDictionary<string, ResourceQuantity>? InOrder(IDictionary<string, ResourceQuantity>? quantities) =>
        quantities is null ? null : new(quantities, StringComparer.Ordinal);
}
