using System.Text;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>
/// The account's key, kept as a Secret so that every process that leads has the same account. With any authority: the key is the same, the
/// account is not.
/// </summary>
internal sealed class AccountKeys(IKubernetes kubernetes, ContentClient client)
{
    public const string SecretName = "acme-account";
    private const string Entry = "key.pem";

    private static readonly ObjectKey Key = new(ApiGroup.SystemNamespace, SecretName);

    /// <summary>Made once; of two who make it, the first's is used by both.</summary>
    /// <exception cref="AcmeException">The Secret holds none.</exception>
    public async Task<AccountKey> GetAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await client.GetSecretAsync(Key, cancellationToken) is { } kept)
            {
                return Read(kept);
            }

            var key = AccountKey.Create();
            try
            {
                await Namespaces.CreateInAsync(
                    kubernetes, ApiGroup.SystemNamespace, () => client.CreateSecretAsync(New(key), cancellationToken), cancellationToken);
                return key;
            }
            catch (AlreadyExistsException)
            {
                key.Dispose();
            }
            catch
            {
                key.Dispose();
                throw;
            }
        }
    }

    private static AccountKey Read(V1Secret secret)
    {
        try
        {
            return AccountKey.Read(secret.Data?.TryGetValue(Entry, out var pem) == true ? Encoding.ASCII.GetString(pem) : "");
        }
        catch (FormatException unusable)
        {
            throw new AcmeException(
                $"Secret \"{SecretName}\" of namespace {ApiGroup.SystemNamespace}: {Entry}: {unusable.Message}; remove the Secret to have a new account made", cause: unusable);
        }
    }

    private static V1Secret New(AccountKey key) => new()
    {
        ApiVersion = V1Secret.KubeApiVersion,
        Kind = V1Secret.KubeKind,
        Metadata = new V1ObjectMeta { Name = Key.Name, NamespaceProperty = Key.Namespace },
        Type = "Opaque",
        Data = new Dictionary<string, byte[]> { [Entry] = Encoding.ASCII.GetBytes(key.ToPem()) },
    };
}
