using CSsl.Cli.Commands;

return await CsslCommand.InvokeAsync(args);
