mod tunnel;
