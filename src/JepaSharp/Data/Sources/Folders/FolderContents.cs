namespace JepaSharp.Data.Sources.Folders;

/// <summary>A name for what has another name too.</summary>
/// <param name="Name">The name that is passed over.</param>
/// <param name="Same">The name that it is read by; empty for the folder that was given.</param>
internal readonly record struct SecondName(string Name, string Same);

/// <summary>All that lies below a folder: what may be read, and what was set aside and why.</summary>
/// <remarks>Names are relative, with '/' between their parts.</remarks>
internal sealed class FolderContents
{
    /// <summary>Files that may be images, in ordinal order; each once, whatever names it has.</summary>
    public List<string> Files { get; set; } = [];

    /// <summary>Folders directly below that are entered, in ordinal order.</summary>
    public List<string> TopFolders { get; } = [];

    /// <summary>Files passed over by their names: hidden ones, those of an operating system.</summary>
    public PassedOverFiles SetAside { get; } = new();

    /// <summary>Folders that may not be listed.</summary>
    public List<string> Unlistable { get; } = [];

    /// <summary>Ways to folders that are entered by another.</summary>
    public List<SecondName> SecondFolders { get; } = [];

    /// <summary>Names of files that are read under another.</summary>
    public List<SecondName> SecondFiles { get; } = [];

    /// <summary>Links to a folder that holds the one given.</summary>
    public List<string> LinksAbove { get; } = [];

    /// <summary>How many files there are, those passed over included.</summary>
    public int Found => Files.Count + SetAside.Count + SecondFiles.Count;
}
