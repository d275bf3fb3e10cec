namespace Orchestrator.ControlPlane.Acme;

/// <summary>An account that the authority knows.</summary>
/// <param name="Url">By which it is named in requests.</param>
internal sealed record AcmeAccount(AccountKey Key, Uri Url)
{
    /// <summary>Makes the account of this key, or finds the one that there is: the authority answers the same (RFC 8555, 7.3).</summary>
    /// <exception cref="AcmeException">The authority refuses.</exception>
    public static async Task<AcmeAccount> OpenAsync(AcmeClient client, AccountKey key, string email, CancellationToken cancellationToken)
    {
        var directory = await client.DirectoryAsync(cancellationToken);
        if (directory.Meta is { ExternalAccountRequired: true })
        {
            throw new AcmeException("the authority gives accounts only to those whom it knows from elsewhere (external account binding), which is not supported");
        }

        string[] contact = [$"mailto:{email}"];
        var made = await client.PostAsync(
            key, account: null, directory.NewAccount!, new AcmeAccountRequest(contact, TermsOfServiceAgreed: true), AcmeJson.Default.AcmeAccountRequest, cancellationToken);
        var url = made.Location ?? throw new AcmeException("the authority gave the account no URL");
        var account = AcmeClient.Read(made.Body, AcmeJson.Default.AcmeAccountObject, "account");
        if (account.Status != AcmeStatus.Valid)
        {
            throw new AcmeException($"the account {url} is {account.Status}; remove Secret \"{AccountKeys.SecretName}\" to have a new one made");
        }

        // Of an account of an earlier start; some authorities keep no contacts and tell of none.
        if (account.Contact is { Count: > 0 } known && !known.SequenceEqual(contact))
        {
            await client.PostAsync(key, url, url, new AcmeAccountRequest(contact), AcmeJson.Default.AcmeAccountRequest, cancellationToken);
        }

        return new(key, url);
    }
}
