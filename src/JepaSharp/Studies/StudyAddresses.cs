using JepaSharp.Runtime;

namespace JepaSharp.Studies;

/// <summary>Where the images are that a study names.</summary>
/// <param name="studyFolder">Folder of the study's file.</param>
/// <param name="dataFolder">Where relative addresses begin instead; null for the study's folder or, for what is not there, the current one.</param>
internal sealed class StudyAddresses(string studyFolder, string? dataFolder)
{
    private const string Scenes = "scenes:";

    /// <summary>The address as it means the same from everywhere: a whole path, with what follows a '#'.</summary>
    public string Of(string address)
    {
        address = HomePath.Expand(address);
        if (Path.IsPathRooted(address) || address.StartsWith(Scenes, StringComparison.Ordinal)) return address;
        var begin = dataFolder is not null ? Path.GetFullPath(dataFolder)
            : !IsBelow(studyFolder, address) && IsBelow(Directory.GetCurrentDirectory(), address) ? Directory.GetCurrentDirectory() : studyFolder;
        return Path.Combine(begin, address);
    }

    private static bool IsBelow(string folder, string address) =>
        Path.Exists(Path.Combine(folder, address)) || Path.Exists(Path.Combine(folder, address.Split('#')[0]));
}
