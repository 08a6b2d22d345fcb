namespace CSsl.Cli.Certificates;

/// <summary>Files with secrets.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file that only its owner can read, from its first byte on; replaces one that is there.</summary>
    public static void Write(string path, string text)
    {
        var fresh = $"{path}.new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;

        using (var writer = new StreamWriter(fresh, options))
            writer.WriteLine(text);
        File.Move(fresh, path, overwrite: true);
    }
}
