using JepaSharp.Cli;
using JepaSharp.Cli.Display;

StandardDescriptors.FillGaps();
using var stop = StopSignals.Register();
return CommandLine.Run(args, Terminal.OfProcess(), stop);
