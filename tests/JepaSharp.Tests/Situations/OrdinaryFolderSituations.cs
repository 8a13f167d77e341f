using JepaSharp.Tests.BadInput;

namespace JepaSharp.Tests.Situations;

/// <summary>What is as it should be: the table's zero.</summary>
[Collection(Lanes.Commands)]
public sealed class OrdinaryFolderSituations : SituationTests
{
    private static readonly Situation[] Table =
    [
        new("a folder of four photographs", "jepa inspect photos", 0, "4 images")
        {
            Build = folder => Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName),
            Never = ["passed over"],
        },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void OrdinaryFolder_Command_DoesWhatIsMeant(string name) => Run(Table.Single(s => s.Name == name));
}
